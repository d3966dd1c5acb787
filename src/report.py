from thermal_landmarks.commands.report import main

if __name__ == "__main__":
    main()
