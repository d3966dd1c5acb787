from thermal_landmarks.commands.info import main

if __name__ == "__main__":
    main()
