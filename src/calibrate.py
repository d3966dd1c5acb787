from thermal_landmarks.commands.calibrate import main

if __name__ == "__main__":
    main()
