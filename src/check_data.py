from thermal_landmarks.commands.check_data import main

if __name__ == "__main__":
    main()
